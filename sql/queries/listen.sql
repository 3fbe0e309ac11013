LISTEN rowcast
