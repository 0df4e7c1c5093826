/**
 * Which behaviours the names of tests claim to assert.
 *
 * @module
 */

import { ts } from "ts-morph";

/** A test that names a behaviour. */
export interface Claim {
  /** For example `host:B1`. */
  readonly id: string;
  /** Path of the file. */
  readonly file: string;
  /** Line of the name, counted from 1. */
  readonly line: number;
}

/** Claims of one file, and names that cannot be read. */
export interface Claims {
  /** In the order of the file. */
  readonly claims: readonly Claim[];
  /** For people, one line each. */
  readonly errors: readonly string[];
}

const ids = /\b(?:host|guest):[A-Z]\d+\b/g;

/** Ids from one to another would hide what is not asserted. */
const range =
  /\b(?:host|guest):[A-Z]\d+(?:\s*(?:-|–|—|\.{2,3}|…)\s*(?:(?:host|guest):)?[A-Z]\d+|[-–]\d+)/;

/** A text that begins like the name of a test. */
const leading = /^(?:host|guest):[A-Z]\d+\b/;

/** Functions whose first argument is the name of a test. */
const testers = /(?:^|\.)(?:test|step|only|\w+Test)$/;

/** Tests that never run assert nothing. */
const ignored = /\.ignore$/;

/** The text of a literal; of a template, what stands before its first hole. */
function literalText(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.head.text : undefined;
}

function isIgnored(node: ts.Node): boolean {
  const { parent } = node;
  return parent !== undefined && ts.isCallExpression(parent) &&
    ignored.test(parent.expression.getText());
}

/** True where the whole text is a name, wherever the ids stand in it. */
function isName(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent)) {
    return parent.initializer === node && parent.name.getText() === "name";
  }
  return ts.isCallExpression(parent) && parent.arguments[0] === node &&
    testers.test(parent.expression.getText());
}

/**
 * Finds the ids in the names of tests: in the first argument of `Deno.test` and
 * its relatives, in members called `name`, and at the beginning of any other text
 * (tests are also made from tables).
 *
 * @param file Its path, for the claims.
 * @param source Its text.
 * @param wanted What the ids look like. Default: those of the acceptance lists.
 */
export function claimsOf(
  file: string,
  source: string,
  wanted: RegExp = ids,
): Claims {
  const claims: Claim[] = [];
  const errors: string[] = [];
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    const text = literalText(node);
    if (
      text !== undefined && !isIgnored(node) &&
      (leading.test(text) || isName(node))
    ) {
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
      const [found] = range.exec(text) ?? [];
      if (found !== undefined) {
        errors.push(
          `${file}:${line + 1}: "${found}" is a range; name every id`,
        );
      }
      for (const [id] of text.matchAll(wanted)) {
        claims.push({ id, file, line: line + 1 });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { claims, errors };
}
