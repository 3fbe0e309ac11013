-- The app's messages from `since` to just before `until`, with what they cost. Reads nothing that is older, so an index on when they were written is all that it takes.
--
-- What cannot be counted is left out (rowcast.uncountable_messages says how many those are): nobody's figures would be right with it. Figures that are none
-- (below zero, not a number, beyond all measure) count as absent. (Rounded, since what is closer to nothing is no float8 but an error.)
-- A price is looked up for the time of the message. Multiplied, not divided by a million: a product of numerics is exact, a quotient is rounded.
CREATE OR REPLACE FUNCTION rowcast.priced_messages(since timestamptz, until timestamptz)
RETURNS TABLE (
    organization_id text, chatbot_id text, session_id text, role text, created_at timestamptz, response_time_ms numeric, failed boolean,
    input_tokens numeric, output_tokens numeric, cost numeric, unpriced_tokens numeric, model text, satisfaction numeric
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH price AS (
        SELECT p.model, p.input_per_million, p.output_per_million, p.valid_from,
               lead(p.valid_from, 1, 'infinity') OVER (PARTITION BY p.model ORDER BY p.valid_from) AS valid_until
        FROM rowcast.model_prices p
    ), message AS (
        SELECT m.organization_id, m.chatbot_id, m.session_id, m.role, m.created_at, m.model,
               CASE WHEN m.response_time_ms >= 0 AND m.response_time_ms < 1e300 THEN round(m.response_time_ms, 20) END AS response_time_ms,
               coalesce(m.failed, false) AS failed,
               greatest(m.input_tokens, 0)::numeric AS input_tokens,
               greatest(m.output_tokens, 0)::numeric AS output_tokens,
               CASE WHEN abs(m.satisfaction) < 1e300 THEN m.satisfaction END AS satisfaction
        FROM rowcast.messages m
        WHERE m.created_at >= since AND m.created_at < until
          AND rowcast.is_series(m.organization_id, m.chatbot_id) AND m.session_id IS NOT NULL AND m.role IN ('user', 'bot', 'system')
    )
    SELECT m.organization_id, m.chatbot_id, m.session_id, m.role, m.created_at, m.response_time_ms, m.failed, m.input_tokens, m.output_tokens,
           coalesce(m.input_tokens * p.input_per_million + m.output_tokens * p.output_per_million, 0) * 0.000001,
           CASE WHEN p.model IS NULL THEN m.input_tokens + m.output_tokens ELSE 0 END,
           m.model, m.satisfaction
    FROM message m
    LEFT JOIN price p ON p.model = m.model AND m.created_at >= p.valid_from AND m.created_at < p.valid_until;
END
$$;

CREATE OR REPLACE FUNCTION rowcast.uncountable_messages(since timestamptz, until timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM rowcast.messages m
        WHERE m.created_at >= since AND m.created_at < until
          AND (rowcast.is_series(m.organization_id, m.chatbot_id) AND m.session_id IS NOT NULL AND m.role IN ('user', 'bot', 'system')) IS NOT TRUE);
END
$$;
