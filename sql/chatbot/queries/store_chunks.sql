-- All chunks of a document in one statement; four characters make a token, near enough.
INSERT INTO chatbot.document_chunks (document_id, position, page, content, token_count)
SELECT $1::text::uuid, c.number - 1, 1 + (c.number - 1) / 3, c.content, 1 + length(c.content) / 4
FROM unnest($2::text[]) WITH ORDINALITY AS c (content, number)
