-- Said over another connection than the one that listens, as writers would.
NOTIFY rowcast_doctor
