-- Only owners of attached tables may, and members of their roles.
SELECT has_function_privilege('rowcast.refresh_attachments()', 'EXECUTE') AS may
