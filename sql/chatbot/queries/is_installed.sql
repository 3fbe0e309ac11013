-- The lock makes two demos that start together take turns; the second then finds what the first has made.
SELECT to_regclass('chatbot.organizations') IS NOT NULL
FROM (SELECT pg_advisory_xact_lock(hashtext('chatbot demo'))) AS alone
