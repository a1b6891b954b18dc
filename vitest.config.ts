import { defineConfig } from "vitest/config";

/** Fast tests sit beside the code; `*.slow.test.ts` files (end-to-end, training, kills) need `npm run build`. */
export default defineConfig({
  test: {
    pool: "forks",
    reporters: ["default", "./scripts/closing-line-reporter.mjs"],
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["**/*.slow.test.ts", "node_modules/**"],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: "slow",
          include: ["src/**/*.slow.test.ts", "test/**/*.slow.test.ts"],
          exclude: ["node_modules/**"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
