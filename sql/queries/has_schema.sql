-- Whether rowcast was ever here, as far as this role may know.
SELECT to_regclass('rowcast.settings') IS NOT NULL AND has_schema_privilege('rowcast', 'USAGE') AS has_schema
