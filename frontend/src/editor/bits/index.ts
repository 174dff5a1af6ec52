export * from "./flood";
export * from "./frame";
export * from "./morphology";
