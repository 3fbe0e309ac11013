-- What has committed by now.
SELECT rowcast.current_cursor() AS cursor
