-- The document cannot be processed.
UPDATE chatbot.documents SET processing_status = 'failed', error_message = $2, finished_at = now() WHERE id = $1::text::uuid
