// The mark of rowcast.

export function Mark() {
  return <img src="/mark.svg" alt="" width="28" height="28" />;
}
