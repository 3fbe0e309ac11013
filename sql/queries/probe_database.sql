-- Something that takes no time unless something is wrong: a table, a plan, and a row.
SELECT count(*) AS types FROM rowcast.event_types
