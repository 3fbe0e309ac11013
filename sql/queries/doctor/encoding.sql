-- Can its texts be sent as UTF-8?
SELECT 'problem' AS level,
       'the encoding is SQL_ASCII, in which any bytes pass as text' AS what,
       format('pg_dump %1$s, then restore into a database made with: CREATE DATABASE %1$I TEMPLATE template0 ENCODING ''UTF8'';', current_database()) AS fix
WHERE getdatabaseencoding() = 'SQL_ASCII'
