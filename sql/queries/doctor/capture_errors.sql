-- Were events left out because an expression failed (on_error => 'skip')?
SELECT 'warning' AS level,
       format('%s: in the last day %s events of type %s were left out, the last because: %s', e.source, count(*), e.event_type,
              (array_agg(e.message ORDER BY e.id DESC))[1]) AS what,
       format('SELECT * FROM rowcast.capture_errors WHERE source = %1$L ORDER BY id DESC LIMIT 20; -- mend the expression and attach again; '
              'DELETE FROM rowcast.capture_errors WHERE source = %1$L;', e.source) AS fix
FROM rowcast.capture_errors AS e
WHERE e.created_at > now() - interval '1 day'
GROUP BY e.source, e.event_type
ORDER BY e.source, e.event_type
