"""The declaration desk: does the declaration stand?"""
