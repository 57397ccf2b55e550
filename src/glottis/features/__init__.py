"""Radiomics features of one image and mask, with PyRadiomics' names and values."""
