-- The last word of this server.
SELECT rowcast.forget_server($1)
