"""From findings to what people read: clinical drawings, documents, exchange formats."""
