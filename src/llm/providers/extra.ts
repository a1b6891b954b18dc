/** Members that a user adds to a wire format. */
import { UsageError } from "../../util/errors.ts";
import type { JsonObject } from "../request.ts";

/**
 * The further members of a request.
 * @throws UsageError `usage.extra` when one would replace a member that this room sets
 */
export function checkedExtra(
  extra: JsonObject | undefined,
  reserved: readonly string[],
): JsonObject {
  const taken = Object.keys(extra ?? {}).filter((name) => reserved.includes(name));
  if (taken.length > 0) {
    throw new UsageError(
      `extra members of a request: "${taken.join('", "')}" may not be replaced`,
      {
        code: "usage.extra",
        hint: "use the option of that name, or leave it out",
      },
    );
  }
  return extra ?? {};
}
