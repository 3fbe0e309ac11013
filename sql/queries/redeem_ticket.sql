-- Uses a ticket. No row: it must not be used so.
SELECT user_id, expires_at FROM rowcast.redeem_ticket($1, $2)
