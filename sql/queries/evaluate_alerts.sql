-- Judges what has come by rowcast.alert_rules; whether there is more (sql/functions/70_evaluate_alerts.sql).
SELECT rowcast.evaluate_alerts() AS more
