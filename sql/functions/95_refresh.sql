-- Attachments of tables whose owners the migrating role may act for are brought up to date here; other owners call refresh_attachments() themselves.
-- What an older rowcast generated goes on working meanwhile: so nothing fails if this does, and nobody waits for it long.
DO $refresh$
BEGIN
    PERFORM set_config('lock_timeout', '1s', true);
    PERFORM rowcast.refresh_attachments();
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'attachments could not be brought up to date: %', SQLERRM
        USING HINT = 'Call rowcast.refresh_attachments() as the owner of the attached tables.';
END
$refresh$;
