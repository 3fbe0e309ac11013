-- Documents whose processing nobody will resume: the worker was stopped.
UPDATE chatbot.documents
SET processing_status = 'failed', error_message = 'The worker was restarted; upload the file again.', finished_at = now()
WHERE finished_at IS NULL
