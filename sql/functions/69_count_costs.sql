-- What a day has cost, by all of its messages, as rowcast.daily_costs is to have it.
CREATE OR REPLACE FUNCTION rowcast.counted_costs(day date) RETURNS SETOF rowcast.daily_costs
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT counted_costs.day, m.organization_id, m.chatbot_id, sum(m.input_tokens), sum(m.output_tokens), sum(m.unpriced_tokens), trim_scale(sum(m.cost)), clock_timestamp()
    FROM rowcast.priced_messages(counted_costs.day::timestamp AT TIME ZONE rowcast.cost_time_zone(),
                                 (counted_costs.day + 1)::timestamp AT TIME ZONE rowcast.cost_time_zone()) m
    GROUP BY m.organization_id, m.chatbot_id;
END
$$;

-- Puts them in the place of what was there of that day.
CREATE OR REPLACE FUNCTION rowcast.store_costs(day date, costs rowcast.daily_costs[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    DELETE FROM rowcast.daily_costs d
    WHERE d.day = store_costs.day
      AND NOT EXISTS (SELECT FROM unnest(costs) c WHERE c.organization_id = d.organization_id AND c.chatbot_id = d.chatbot_id);
    INSERT INTO rowcast.daily_costs AS d
    SELECT c.* FROM unnest(costs) c ORDER BY c.organization_id, c.chatbot_id
    ON CONFLICT (day, organization_id, chatbot_id) DO UPDATE SET
        input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens,
        unpriced_tokens = excluded.unpriced_tokens,
        cost = excluded.cost,
        counted_at = excluded.counted_at;
END
$$;

-- Counts a day anew, or one of before rowcast: after a price was mended, say. How many chatbots it has.
CREATE OR REPLACE FUNCTION rowcast.count_costs(day date) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    costs CONSTANT rowcast.daily_costs[] := ARRAY(SELECT c FROM rowcast.counted_costs(day) c);
BEGIN
    PERFORM rowcast.store_costs(day, costs);
    RETURN cardinality(costs);
END
$$;

-- The days that are to be counted now: today, and for as long as something may still come in late, yesterday, once an hour. (Not before the day was over, so that
-- its last minutes are in it at once.)
CREATE OR REPLACE FUNCTION rowcast.days_to_count() RETURNS SETOF date
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.today FROM (SELECT (clock_timestamp() AT TIME ZONE rowcast.cost_time_zone())::date AS today) t
    UNION ALL
    SELECT t.today - 1
    FROM (SELECT (clock_timestamp() AT TIME ZONE rowcast.cost_time_zone())::date AS today) t
    WHERE NOT EXISTS (
        SELECT FROM rowcast.daily_costs d
        WHERE d.day = t.today - 1
          AND d.counted_at >= greatest(clock_timestamp() - interval '1 hour', t.today::timestamp AT TIME ZONE rowcast.cost_time_zone()));
END;
