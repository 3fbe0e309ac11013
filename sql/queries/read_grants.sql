-- What these users may see.
SELECT user_id, organization_id, permission FROM rowcast.grants WHERE user_id = ANY ($1::text[])
