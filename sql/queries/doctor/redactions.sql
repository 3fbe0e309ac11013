-- Does every redaction concern a type that exists? A misspelled one hides nothing.
SELECT 'warning' AS level,
       format('a redaction is of the type %s, which rowcast.event_types does not have', r.event_type) AS what,
       format('INSERT INTO rowcast.event_types (name) VALUES (%1$L); '
              '-- or, if it is misspelled: UPDATE rowcast.redactions SET event_type = ''…'' WHERE event_type = %1$L;', r.event_type) AS fix
FROM (SELECT DISTINCT event_type FROM rowcast.redactions) AS r
WHERE NOT EXISTS (SELECT FROM rowcast.event_types AS t WHERE t.name = r.event_type)
ORDER BY r.event_type
