-- Is there a column in a whole-row payload that sounds like a secret, and that no pattern of rowcast.secret_patterns catches?
SELECT 'warning' AS level,
       format('%s: the column %I is sent to clients, and sounds like a secret', a.source, c.attname) AS what,
       format('INSERT INTO rowcast.secret_patterns (pattern, description) VALUES (''^%s$'', ''…''); -- or attach again with exclude => ''{%s}''; '
              'if it is none, give attach a data expression', c.attname, c.attname) AS fix
FROM rowcast.attachments AS a
JOIN (SELECT DISTINCT root FROM rowcast.attachment_triggers) AS t ON rowcast.source_name(t.root) = a.source
JOIN pg_attribute AS c ON c.attrelid = t.root AND c.attnum > 0 AND NOT c.attisdropped
WHERE a.data IS NULL AND a.group_by IS NULL
  AND c.attname ~* '(passw|pwd|secret|token|api_?key|private_?key|credential|ssn|iban|cvv|card_?n|hash$|salt|cookie|jwt|bearer|authoriz|dsn)'
  -- Numbers count something: token_count, tokens_used.
  AND c.atttypid NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'float8'::regtype, 'bool'::regtype)
  AND NOT c.attname::text = ANY (a.exclude)
  AND NOT rowcast.looks_secret(c.attname::text)
ORDER BY a.source, c.attnum
