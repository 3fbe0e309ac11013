-- How many milliseconds ago the outbox was maintained last, by whichever server or cron; null: never.
SELECT (extract(epoch FROM clock_timestamp() - maintained_at) * 1000)::bigint AS milliseconds FROM rowcast.maintenance
