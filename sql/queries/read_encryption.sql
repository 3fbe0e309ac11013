-- Whether what is said on this connection is encrypted, and whether it leaves the machine: no address at all means a socket.
SELECT
    coalesce(s.ssl, false) AS encrypted,
    s.version,
    inet_client_addr() IS NULL OR inet_client_addr() <<= '127.0.0.0/8' OR inet_client_addr() = '::1'
        OR inet_client_addr() = inet_server_addr() AS near
FROM (SELECT) one LEFT JOIN pg_stat_ssl s ON s.pid = pg_backend_pid()
