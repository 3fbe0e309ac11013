-- The document can be searched.
UPDATE chatbot.documents SET processing_status = 'completed', progress = 100, finished_at = now() WHERE id = $1::text::uuid
