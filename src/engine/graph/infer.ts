/** The type of a node by the shape rules, and how nodes are named in messages. */
import { ShapeError } from "../../util/errors.ts";
import { type ShapeRuleContext, shapeRules } from "./shape-rules.ts";
import {
  formatShape,
  type Node,
  type OpAttributes,
  type OpName,
  type TensorType,
} from "./types.ts";

/** Infers the type of a node; the error of a misfit names the node by `label` and describes each operand. */
export function inferType<K extends OpName>(
  op: K,
  inputs: readonly TensorType[],
  attributes: OpAttributes[K],
  describe: () => { readonly label: string; readonly operands: readonly string[] },
): TensorType {
  const context: ShapeRuleContext = {
    inputs,
    fail: (problem) => {
      const { label, operands } = describe();
      const list = operands.length > 0 ? ` Operands: ${operands.join("; ")}.` : "";
      throw new ShapeError(`${label} ${problem}.${list}`, {
        code: "engine.shape",
        hint: "compare the shapes of the operands with the operator's doc comment",
      });
    },
  };
  return shapeRules[op](context, attributes);
}

/** `matmul %7 (2, 3) in block0/mlp`, or the name of a leaf. */
export function describeNode(nodes: readonly Node[], id: number): string {
  const node = nodes[id];
  if (node === undefined) return `%${id} (missing)`;
  const shape = `${node.dtype} ${formatShape(node.shape)}`;
  if (node.op === "input" || node.op === "parameter") {
    return `${node.op} "${node.attributes.name}" ${shape}`;
  }
  return `${node.op} %${id} ${shape}${node.scope === "" ? "" : ` in ${node.scope}`}`;
}
