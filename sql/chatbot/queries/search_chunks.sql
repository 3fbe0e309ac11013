-- How well the best of the app's passages answers a question: what its vector search does, on a Postgres without pgvector.
SELECT max(ts_rank(to_tsvector('english', content), websearch_to_tsquery('english', 'warranty or delivery or appointment'))) AS best
FROM (SELECT content FROM chatbot.document_chunks LIMIT 500) AS passages
