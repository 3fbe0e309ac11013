-- Keeps house; see sql/functions/78_maintain.sql. $1: what the retention is to be, null for what it is.
SELECT action, partition, detail FROM rowcast.maintain($1)
