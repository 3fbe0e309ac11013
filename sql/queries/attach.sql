-- The arguments of rowcast attach, in the order of rowcast.attach; null takes the function's own default.
SELECT rowcast.attach(
    source => $1::text::regclass,
    event_type => $2,
    organization_id => $3,
    data => $4,
    exclude => $5,
    operations => coalesce($6, '{INSERT,UPDATE,DELETE}'::text[]),
    changed_columns => $7,
    filter => $8,
    priority => $9,
    user_id => $10,
    chatbot_id => $11,
    session_id => $12,
    private => $13,
    on_error => coalesce($14, 'fail'),
    group_by => $15
)
