import { expect, it } from "vitest";
import { hrefOf, parseRoute } from "./route.js";

it.each([
  ["", { page: "live", organization: null }],
  ["#/", { page: "live", organization: null }],
  ["#/admin", { page: "admin", organization: null }],
  ["#/?organization=o%201%26", { page: "live", organization: "o 1&" }],
  ["#/admin?organization=o1", { page: "admin", organization: "o1" }],
  ["#/admin?organization=", { page: "admin", organization: null }],
  ["#/elsewhere", { page: "live", organization: null }],
  ["#__proto__", { page: "live", organization: null }],
] as const)("reads %j", (fragment, route) => {
  expect(parseRoute(fragment)).toEqual(route);
});

it.each(["o1", "a b&c=d?#/ü", null])("writes what it reads: %j", (organization) => {
  for (const page of ["live", "admin"] as const) {
    expect(parseRoute(hrefOf({ page, organization }))).toEqual({ page, organization });
  }
});
