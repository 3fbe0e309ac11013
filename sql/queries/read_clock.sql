-- What time the database thinks it is.
SELECT extract(epoch FROM clock_timestamp()) AS now
