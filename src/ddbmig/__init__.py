"""ddbmig: decides by rules how a MySQL application should live on DynamoDB, and proves it by running."""

__version__ = "0.1.0"
