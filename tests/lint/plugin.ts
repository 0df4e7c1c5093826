const plugin: Deno.lint.Plugin = { name: "lcow", rules: {} };
export default plugin;
