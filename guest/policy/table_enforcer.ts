/**
 * An enforcer for tests: its policy is a table.
 *
 * @module
 */

import {
  type Answer,
  denial,
  type PolicyEnforcer,
  type PolicyFragment,
  type Question,
  type QuestionName,
} from "./questions.ts";

/** Answers by question; what is not in it is allowed. */
export type PolicyTable = Readonly<
  Partial<Record<QuestionName, Answer | "deny">>
>;

/** Looks answers up, and remembers what it was asked. */
export class TableEnforcer implements PolicyEnforcer {
  /** The answers; tests may change them. */
  table: PolicyTable;
  /** What was asked, the oldest first. */
  readonly asked: Question[] = [];
  /** What was loaded. */
  readonly fragments: PolicyFragment[] = [];

  /** @param table Answers by question. */
  constructor(table: PolicyTable = {}) {
    this.table = table;
  }

  /** Looks an answer up. */
  ask(question: Question): Promise<Answer> {
    this.asked.push(structuredClone(question));
    const answer = this.table[question.name] ?? {};
    return answer === "deny"
      ? Promise.reject(denial(question))
      : Promise.resolve(answer);
  }

  /** Loads every fragment. */
  addFragment(fragment: PolicyFragment): Promise<void> {
    this.fragments.push(fragment);
    return Promise.resolve();
  }

  /** The questions of one name. */
  about<Name extends QuestionName>(
    name: Name,
  ): Extract<Question, { readonly name: Name }>[] {
    return this.asked.filter((question) => question.name === name) as Extract<
      Question,
      { readonly name: Name }
    >[];
  }
}
