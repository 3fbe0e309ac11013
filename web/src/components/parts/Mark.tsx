// The mark of rowcast.

export function Mark() {
  return <img className="rc-mark" src="/mark.svg" alt="" width="28" height="28" />;
}
