-- Measures every chatbot over the last $1 milliseconds, as the server $2; see sql/functions/69_measure.sql.
SELECT outcome, chatbots, messages, left_out, unpriced_models FROM rowcast.measure($1 * interval '1 millisecond', $2)
