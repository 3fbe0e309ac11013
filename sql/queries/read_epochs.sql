-- The lives of the database that servers have found, in their order.
SELECT epoch, system_identifier, database, timeline, inherited FROM rowcast.epochs ORDER BY epoch
