// Who is signed in, and where they work. Your app's session goes here: this one takes everybody for an admin of the demo's first organization.

export async function signedIn(): Promise<{ userId: string; organizationId: string }> {
  return { userId: "user_ada", organizationId: "org_alder" };
}
