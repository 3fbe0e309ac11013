-- An examination must not become the patient's burden: each check ends by itself. And it may be a superuser who examines a database in which
-- others can make functions: none of theirs may fit a call better than the one that is meant.
SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '1s'; SET LOCAL search_path = pg_catalog, pg_temp
