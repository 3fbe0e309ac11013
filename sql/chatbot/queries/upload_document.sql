-- A document arrives.
INSERT INTO chatbot.documents (organization_id, product_id, uploaded_by, filename, size_bytes)
VALUES ($1, $2, $3, $4, $5)
RETURNING id::text
