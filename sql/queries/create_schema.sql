-- The history of the migrations lives in our schema, so the schema comes before the first migration.
-- (CREATE SCHEMA IF NOT EXISTS asks for the right to create one even when it is there.)
DO $$
BEGIN
    IF to_regnamespace('rowcast') IS NULL THEN
        CREATE SCHEMA rowcast;
        COMMENT ON SCHEMA rowcast IS 'Row changes as events: see rowcast.outbox, rowcast.attachments and rowcast.event_types.';
    END IF;
END
$$
