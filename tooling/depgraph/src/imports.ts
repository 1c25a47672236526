// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface Import {
  readonly specifier: string;
  /** Nothing of it is left when the program runs. */
  readonly typeOnly: boolean;
}

export interface ImportSite extends Import {
  /** Relative to the repository's root. */
  readonly file: string;
}

export interface Sources {
  readonly sites: readonly ImportSite[];
  /** Places that load modules in a way no rule can follow, as lines to show. */
  readonly hidden: readonly string[];
}

/** Every module specifier below `dir`: imports, re-exports, dynamic imports and type imports. */
export function importsBelow(root: string, dir: string): Sources {
  const read = readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => ({ file: join(dir, name), source: readFileSync(join(root, dir, name), 'utf8') }));
  return {
    sites: read.flatMap(({ file, source }) => importsOf(source).map((found) => ({ file, ...found }))),
    hidden: read.flatMap(({ file, source }) => hiddenImportsOf(source).map((what) => `${file}: ${what}`)),
  };
}

export function importsOf(source: string): readonly Import[] {
  return nodesOf(source).flatMap((node) => {
    const found = specifierOf(node);
    return found === undefined || !ts.isStringLiteralLike(found.specifier)
      ? []
      : [{ specifier: found.specifier.text, typeOnly: found.typeOnly }];
  });
}

/** Ways around the import statement: a computed `import()`, `createRequire` and `getBuiltinModule`. */
export function hiddenImportsOf(source: string): readonly string[] {
  return nodesOf(source).flatMap((node) => {
    if (ts.isIdentifier(node) && (node.text === 'createRequire' || node.text === 'getBuiltinModule'))
      return [`${node.text} loads what no import rule sees`];
    const found = ts.isCallExpression(node) ? specifierOf(node) : undefined;
    return found === undefined || ts.isStringLiteralLike(found.specifier) ? [] : ['import() needs a literal'];
  });
}

function specifierOf(node: ts.Node): { specifier: ts.Node; typeOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node))
    return { specifier: node.moduleSpecifier, typeOnly: node.importClause?.isTypeOnly ?? false };
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
    return { specifier: node.moduleSpecifier, typeOnly: node.isTypeOnly };
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return { specifier: node.argument.literal, typeOnly: true };
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return { specifier: node.arguments[0] ?? node, typeOnly: false };
  return undefined;
}

function nodesOf(source: string): readonly ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest));
  return nodes;
}
