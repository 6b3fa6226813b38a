/** What is wrong, if anything, with the certificate that the practice API server shows. */
export type ServerCertificate = "good" | "expired" | "other-ca" | "other-name";
