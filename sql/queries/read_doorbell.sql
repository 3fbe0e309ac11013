-- Do writers ring? PREPARE TRANSACTION fails in a transaction that has notified, so where two-phase commit is enabled nobody does.
SELECT current_setting('max_prepared_transactions')::integer = 0
   AND coalesce((SELECT value FROM rowcast.settings WHERE name = 'doorbell'), 'auto') <> 'off' AS rings
