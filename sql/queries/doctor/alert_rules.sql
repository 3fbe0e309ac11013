-- Does every alert rule have something to judge? One whose metric is misspelled never fires. (An hour: figures may be written seldom.)
SELECT 'warning' AS level,
       format('alert rule %s (%s %s %s%s) has had no value in 30 days, or since it was made',
              r.id, r.metric, r.comparison, r.threshold, coalesce(' of ' || coalesce(r.chatbot_id, r.organization_id), '')) AS what,
       format('UPDATE rowcast.alert_rules SET enabled = false WHERE id = %s; -- or correct it: what there is shows '
              'SELECT organization_id, chatbot_id, data FROM rowcast.outbox WHERE event_type = ''chatbot_metrics'' ORDER BY id DESC LIMIT 10;', r.id) AS fix
FROM rowcast.alert_rules AS r
WHERE r.enabled AND r.budget IS NULL AND r.created_at < now() - interval '1 hour'
  AND NOT EXISTS (SELECT FROM rowcast.alert_states AS s WHERE s.rule_id = r.id)
ORDER BY r.id
