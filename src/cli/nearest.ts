export { didYouMean, nearest } from "../platform/nearest.ts";
