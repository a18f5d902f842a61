"""JSON-LD credentials as RDF quads, and their canonical form (RDFC-1.0). Nothing here is ever fetched."""
