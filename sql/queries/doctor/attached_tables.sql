-- Is anything of the app attached? Our own producers always are.
SELECT 'warning' AS level,
       'no table is attached' AS what,
       'SELECT rowcast.attach(''public.documents'', ''document_processing'', organization_id => ''r.organization_id''); -- see docs/capture.md' AS fix
WHERE NOT EXISTS (SELECT FROM rowcast.attachments) AND NOT EXISTS (SELECT FROM rowcast.outbox WHERE source IS NULL)
