-- A channel that no server hears, so that an examination wakes nobody.
LISTEN rowcast_doctor
