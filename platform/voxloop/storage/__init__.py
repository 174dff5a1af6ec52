"""Objects on disk or in S3, named by the sha256 of their content. The only importer of boto3."""
