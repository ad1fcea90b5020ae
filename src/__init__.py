"""The data pipeline application: the flow, the ASGI entry module, and faces for established import paths.

All behaviour is in the package `hokusai`; nothing there imports this.
"""
