-- A step of the processing, with what it found out on the way.
UPDATE chatbot.documents
SET processing_status = $2,
    progress = $3,
    page_count = coalesce($4, page_count),
    ocr_confidence = coalesce($5::float8::numeric, ocr_confidence)
WHERE id = $1::text::uuid
